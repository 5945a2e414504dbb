"""What a plan looks up, and how often: a study of a thousand notebooks is planned in seconds."""

from __future__ import annotations

from collections import Counter

import pytest
from toy import SECOND, Toy

from segstudy import fingerprint
from segstudy.fingerprint import import_closure
from segstudy.study import state
from segstudy.study.project import load_project

SOURCES = {
    "imports and the rest": "import toy.shallow\nx = 1\nfrom toy import deep",
    "a line that both share": "x = 1; import toy.shallow\nimport toy.deep; y = (\n    2)",
    "brackets": "from toy import (  # words\n    deep,\n    shallow,\n)\nx = [\n    'toy.deep',\n]",
    "a bracket that ends on another's line": "from toy.shallow import (\n    value); x = (\n    1)",
    "a backslash": "x = 1; \\\nimport toy.shallow",
    "an import within": "def f():\n    import toy.shallow\n\n\n@f\ndef g():\n    pass",
    "a name as a text": "import toy\nrun('toy.shallow:value')",
    "nothing": "",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_parts_of_a_source_depend_on_what_the_whole_depends_on(toy: Toy, source: str):
    imports, rest = (import_closure(part, toy.root) for part in state._parted(source))
    assert imports | rest == import_closure(source, toy.root)


def test_a_plan_looks_up_once_what_its_notebooks_share(toy: Toy, monkeypatch: pytest.MonkeyPatch):
    names = [f"{number:02}_stand_in" for number in range(20)]
    for name in names:
        (toy.first.parent / f"{name}.py").write_text(SECOND.replace("second notebook", name))
    toy.study.write_text("notebooks:\n" + "".join(f"  {name}: {{profiles: {{smoke: }}}}\n" for name in names))
    calls: Counter[str] = Counter()

    def counted(module, name):
        function = getattr(module, name)

        def call(*words, **more):
            calls[name] += 1
            return function(*words, **more)

        monkeypatch.setattr(module, name, call)

    state.page_fingerprint()  # known from here on: what is counted below is the notebooks'
    for name in ("versions", "page_fingerprint", "dataset_names"):
        counted(state, name)
    counted(fingerprint, "_follow")
    project = load_project(toy.root)
    assert len(state.plan(project, "smoke", project.select(None), {}, False)) == len(names)
    assert calls == {"versions": 1, "page_fingerprint": 1, "dataset_names": 1, "_follow": 2}
