"""Stand-ins for `sbatch` and `srun`: tasks start on this machine with the variables that SLURM gives them.

Names and meanings of the variables: https://slurm.schedmd.com/srun.html, section OUTPUT ENVIRONMENT VARIABLES.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

JOB_ID = "41000"  # its last four digits choose the port that the tasks meet at
_OPTION = re.compile(r"#SBATCH --([\w-]+)=(\S+)")


def write(folder: Path) -> Path:
    """A folder for the front of PATH that holds `sbatch` and `srun`."""
    folder.mkdir(parents=True)
    for name in ("sbatch", "srun"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" {name} "$@"\n')
        command.chmod(0o755)
    return folder


def sbatch(script: Path) -> int:
    """Runs a script at once, in an environment made from its #SBATCH lines."""
    asked = dict(_OPTION.findall(script.read_text(encoding="utf-8")))
    nodes, each = asked.get("nodes", "1"), asked.get("ntasks-per-node", "1")
    job = {
        "JOB_ID": JOB_ID,
        "JOBID": JOB_ID,
        "JOB_NAME": asked.get("job-name", script.name),
        "NNODES": nodes,
        "JOB_NUM_NODES": nodes,
        "NTASKS": str(int(nodes) * int(each)),
        "NPROCS": str(int(nodes) * int(each)),
        "NTASKS_PER_NODE": each,
        "NODELIST": ",".join(["localhost"] * int(nodes)),
        "JOB_NODELIST": ",".join(["localhost"] * int(nodes)),
    }
    return subprocess.run(
        ["bash", script], env=os.environ | _slurm(job) | _slurm(_task(0, each)), check=False
    ).returncode


def srun(command: list[str]) -> int:
    """Starts a task for each of the job's; the worst exit code."""
    command = [word for word in command if not word.startswith("--kill-on-bad-exit")]
    number, each = int(os.environ["SLURM_NTASKS"]), os.environ["SLURM_NTASKS_PER_NODE"]
    tasks = [subprocess.Popen(command, env=os.environ | _slurm(_task(task, each))) for task in range(number)]
    return max(abs(task.wait()) for task in tasks)


def _task(task: int, each: str) -> dict[str, str]:
    node, local = divmod(task, int(each))
    return {"PROCID": str(task), "LOCALID": str(local), "NODEID": str(node)}


def _slurm(variables: dict[str, str]) -> dict[str, str]:
    return {f"SLURM_{name}": value for name, value in variables.items()}


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    sys.exit(sbatch(Path(words[-1])) if verb == "sbatch" else srun(words))
