import { render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { useNow } from "./useNow";

afterEach(() => vi.restoreAllMocks());

test("a clock that has moved on at each look asks for no drawing of its own", () => {
  // As on a busy machine, where drawing a long list takes longer than a millisecond.
  let time = 1_000;
  vi.spyOn(Date, "now").mockImplementation(() => time++);
  let drawn = 0;
  function Row() {
    drawn++;
    return <time>{useNow(10_000)}</time>;
  }
  const list = (
    <>
      <Row />
      <Row />
    </>
  );
  const { rerender } = render(list);
  for (let n = 0; n < 5; n++) rerender(<div key={n}>{list}</div>);
  // Two rows, six lists, each drawn a second time when the time is set anew.
  expect(drawn).toBeLessThanOrEqual(24);
});
