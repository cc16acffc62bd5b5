"""The sandbox's own levers under `/__sandbox/`, for tests and rehearsal; loopback only, no key needed."""

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call, json_answer, no_content, parse_stamp, stamp
from codat_ar_cli.sandbox.faults import FaultPlanError
from codat_ar_cli.sandbox.world import World


def health(world: World, call: Call) -> Answer:
    """`GET /__sandbox/health`: up, with its companies and time."""
    return json_answer(world.describe())


def get_clock(world: World, call: Call) -> Answer:
    """`GET /__sandbox/clock`: `{"now": …, "offsetSeconds": …}`."""
    offset = int(world.clock.offset.total_seconds())
    return json_answer({"now": stamp(world.clock.now()), "offsetSeconds": offset})


def move_clock(world: World, call: Call) -> Answer:
    """`POST /__sandbox/clock`: `{"advance": seconds}` or `{"now": "2026-11-22T10:00:00Z"}`; what falls due happens."""
    body = call.json_object()
    try:
        if "now" in body:
            world.clock.set(parse_stamp(str(body["now"])))
        else:
            world.clock.advance(float(body["advance"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ApiError(400, 'Give {"advance": seconds} or {"now": "2026-11-22T10:00:00Z"}.') from error
    world.settle()
    world.save_meta()
    return get_clock(world, call)


def get_faults(world: World, call: Call) -> Answer:
    """`GET /__sandbox/faults`: the plan and what each rule has seen and done."""
    return json_answer(world.faults.describe())


def set_faults(world: World, call: Call) -> Answer:
    """`PUT /__sandbox/faults`: put another plan in force; counts start anew."""
    try:
        world.faults.replace(call.json_object())
    except FaultPlanError as error:
        raise ApiError(400, str(error)) from error
    return get_faults(world, call)


def clear_faults(world: World, call: Call) -> Answer:
    """`DELETE /__sandbox/faults`: nothing goes wrong any more."""
    world.faults.replace({})
    return no_content()


def get_record(world: World, call: Call) -> Answer:
    """`GET /__sandbox/record`: every write that reached the books, oldest first, whatever clients were told."""
    writes = world.writes()
    for name in ("companyId", "dataType"):
        if name in call.query:
            writes = [write for write in writes if write[name] == call.query[name]]
    return json_answer({"writes": writes, "total": len(writes)})
