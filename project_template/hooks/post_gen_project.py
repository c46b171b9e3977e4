"""Keep the chosen CI, and record what the project is made from: `dataops doctor` compares that with newer templates."""

import hashlib
import json
import pathlib
import shutil

CI = {"github": ".github", "gitlab": ".gitlab-ci.yml"}
ANSWERS = {
{%- for question in ("name", "team", "catalog", "ci", "deployment") %}
    "{{ question }}": {{ cookiecutter[question] | tojson }},
{%- endfor %}
}

here = pathlib.Path()
for choice, path in CI.items():
    if choice != ANSWERS["ci"]:
        shutil.rmtree(path) if (here / path).is_dir() else (here / path).unlink()

files = {
    path.as_posix(): f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    for path in sorted(here.rglob("*")) if path.is_file()
}
made = {"_template_version": {{ cookiecutter._template_version | tojson }}, "answers": ANSWERS, "files": files}
(here / ".template.json").write_text(json.dumps(made, indent=1) + "\n")
