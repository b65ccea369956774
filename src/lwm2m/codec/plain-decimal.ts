/**
 * Formats a number without an exponent, as Core 1.2 Appendix C requires in text. It takes the digits of String() and
 * moves the decimal point.
 */
export function plainDecimal(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '', exponent = '0'] = String(Math.abs(value)).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const integer = digits.slice(0, point).padEnd(point, '0');
  const rest = digits.slice(point);
  return rest === '' ? sign + integer : `${sign}${integer}.${rest}`;
}
