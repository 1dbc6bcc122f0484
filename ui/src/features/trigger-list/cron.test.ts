import { describe, expect, test } from "vitest";
import { cronText } from "./cron";

describe("schedules in words", () => {
  test.each([
    ["* * * * *", "Every minute"],
    ["*/5 * * * *", "Every 5 minutes"],
    ["5 * * * *", "Every hour at 5 past"],
    ["30 2 * * *", "Every day at 02:30"],
    ["0 7 * * 1", "On Monday at 07:00"],
    ["30 4 * * 1-5", "Monday to Friday at 04:30"],
    ["0 9 * * 0,3", "On Sunday and Wednesday at 09:00"],
    ["0 9 * * 7", "On Sunday at 09:00"],
    ["0 3 1 * *", "On day 1 of every month at 03:00"],
  ])("%s", (cron, words) => expect(cronText(cron)).toBe(words));

  test.each(["0 0 1 1 *", "0 0 1 * 1", "0 */2 * * *", "1,2 3 * * *", "@daily", ""])("%s has no simple words", (cron) =>
    expect(cronText(cron)).toBeUndefined(),
  );
});
