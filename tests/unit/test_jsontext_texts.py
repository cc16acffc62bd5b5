from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.domain import jsontext

VALUES = st.recursive(
    st.none() | st.text(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(VALUES)
def test_the_quick_writer_gives_the_canonical_text(value):
    assert jsontext.dumps_texts(value) == jsontext.dumps(value, sort_keys=True)
