// Schedules in words, where there are simple words for them. No React.

const weekdays = Array.from({ length: 7 }, (_, day) =>
  new Intl.DateTimeFormat(undefined, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2023, 0, 1 + day)),
);

function isNumber(field: string): boolean {
  return /^\d{1,2}$/.test(field);
}

function clock(hour: string, minute: string): string {
  return `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
}

function days(field: string): string | undefined {
  if (field === "*") return "every day";
  const range = /^([0-7])-([0-7])$/.exec(field);
  if (range) return `${weekdays[Number(range[1]) % 7]} to ${weekdays[Number(range[2]) % 7]}`;
  if (/^[0-7](,[0-7])*$/.test(field)) {
    return `on ${new Intl.ListFormat().format(field.split(",").map((day) => weekdays[Number(day) % 7]!))}`;
  }
  return undefined;
}

/** A five-field schedule in words; undefined for one that only its fields can say. */
export function cronText(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minute, hour, date, month, weekday] = fields as [string, string, string, string, string];
  if (month !== "*") return undefined;
  if (date === "*" && weekday === "*" && hour === "*") {
    if (minute === "*") return "Every minute";
    const step = /^\*\/(\d+)$/.exec(minute);
    if (step) return `Every ${step[1]} minutes`;
    return isNumber(minute) ? `Every hour at ${minute} past` : undefined;
  }
  if (!isNumber(minute) || !isNumber(hour)) return undefined;
  if (isNumber(date) && weekday === "*") return `On day ${date} of every month at ${clock(hour, minute)}`;
  const on = date === "*" ? days(weekday) : undefined;
  return on && `${on[0]!.toUpperCase()}${on.slice(1)} at ${clock(hour, minute)}`;
}
