const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,12})?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Converts an RFC 3339 §5.6 date-time to whole seconds since the Unix epoch, without the fraction; undefined for any
 * other text. A leap second (`23:59:60`) counts as the next second, as in POSIX.
 */
export function rfc3339Seconds(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  const zoneHours = Number(match[8] ?? 0);
  const zoneMinutes = Number(match[9] ?? 0);
  if (hour > 23 || minute > 59 || second > 60 || zoneHours > 23 || zoneMinutes > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const zone = (zoneHours * 60 + zoneMinutes) * (match[7] === '-' ? -60 : 60);
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second - zone;
}
