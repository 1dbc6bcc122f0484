import { expect, test } from "vitest";
import { readTeams, whyNotName, whyNotPassword, whyNotTeams } from "./accountRules";

test("names are those that the server takes", () => {
  for (const good of ["ann", "a", "a.b-c_d@e.example", "9", "x".repeat(64)]) expect(whyNotName(good)).toBeUndefined();
  for (const bad of ["", "Ann", "-a", "a b", "é", "x".repeat(65), "admin"]) expect(whyNotName(bad)).toBeTruthy();
});

test("teams are read with commas, blanks and line ends between, each once", () => {
  expect(readTeams(" Ops,dev  ops;\nqa ,")).toEqual(["ops", "dev", "qa"]);
  expect(whyNotTeams(["ops", "a b"])).toMatch("a b");
  expect(whyNotTeams([])).toBeUndefined();
});

test("a password is counted in characters and not in units of them", () => {
  expect(whyNotPassword("😀".repeat(9))).toBeTruthy();
  expect(whyNotPassword("😀".repeat(10))).toBeUndefined();
});
