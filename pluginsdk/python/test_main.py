"""Tests: python3 -B -m unittest"""

import os
import tempfile
import unittest

from main import hello, write
from vwmp_plugin import Invalid, Workspace, testing


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

    def test_the_workspace_finds_and_keeps_its_files(self) -> None:
        workspace = Workspace(tempfile.mkdtemp())
        for name in ("a.txt", "b/c.txt", "b/d/e.txt", ".git/f.txt"):
            workspace.write_text(name, name)
        self.assertEqual(workspace.glob("*.txt"), ["a.txt"])
        self.assertEqual(workspace.glob("**/*.txt"), ["a.txt", "b/c.txt", "b/d/e.txt"])
        self.assertEqual(workspace.glob("b/**"), ["b/c.txt", "b/d/e.txt"])
        os.symlink("/etc", workspace.path / "out")
        os.symlink("../.git", workspace.path / "b" / "git")
        for name in ("../a", "/etc/passwd", "out/passwd", "a/", "", "con.txt", "b/git/f.txt", "b/git/new"):
            with self.assertRaises(Invalid):
                workspace.read_text(name)


if __name__ == "__main__":
    unittest.main()
