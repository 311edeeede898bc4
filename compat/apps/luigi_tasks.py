"""Luigi's tasks and the worker that runs them: ``python luigi_tasks.py PORT FOLDER``."""

import sys
from pathlib import Path

import luigi

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])


class Number(luigi.Task):
    value = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(FOLDER / str(self.value))

    def run(self):
        with self.output().open("w") as file:
            file.write(str(self.value))


class Sum(luigi.Task):
    def requires(self):
        return [Number(value) for value in range(5)]

    def output(self):
        return luigi.LocalTarget(FOLDER / "sum")

    def run(self):
        with self.output().open("w") as file:
            file.write(str(sum(int(Path(number.path).read_text()) for number in self.input())))


class Failure(luigi.Task):
    def run(self):
        raise RuntimeError("it always fails")


def main():
    scheduler = {"scheduler_host": "127.0.0.1", "scheduler_port": PORT}
    if not luigi.build([Sum()], **scheduler):
        sys.exit("Sum was not built")
    if luigi.build([Failure()], **scheduler):
        sys.exit("Failure was built")


main()
