"""Tests: python3 -B -m unittest"""

import unittest

from main import hello, write
from vwmp_plugin import testing


class Greeter(unittest.TestCase):
    def test_it_greets_twice(self) -> None:
        result = testing.run(hello, {"name": "Ada", "times": 2})
        self.assertEqual(result.output, {"greeting": "Hello, Ada!\nHello, Ada!"})

    def test_a_wrong_type_is_refused_with_its_place(self) -> None:
        result = testing.run(hello, {"times": "often"})
        self.assertEqual((result.kind, result.error.code, result.error.pointer), ("failure", "INVALID_INPUT", "/times"))

    def test_undo_restores_the_file(self) -> None:
        result = testing.run(write, {"path": "a.txt"}, files={"a.txt": "before"})
        self.assertEqual((result.workspace / "a.txt").read_text(), "Hello, world!\n")
        self.assertEqual(testing.undo(write, result).kind, "success")
        self.assertEqual((result.workspace / "a.txt").read_text(), "before")


if __name__ == "__main__":
    unittest.main()
