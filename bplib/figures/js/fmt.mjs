// Numbers as a reader sees them: three significant digits, a true minus, scientific below 0.001.
const SUP = "⁰¹²³⁴⁵⁶⁷⁸⁹";
export const sup = (n) => (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((c) => SUP[+c]).join("");

export function fmt(x, digits = 3) {
  if (x !== x) return "NaN";
  const sign = x < 0 ? "−" : "";
  const a = Math.abs(x);
  if (a === Infinity) return sign + "∞";
  if (a === 0) return "0";
  const [m, e] = a.toExponential(digits - 1).split("e");
  const k = +e;
  if (k < -3 || k > 4) return sign + m + "×10" + sup(k);
  if (k >= digits) return sign + Math.floor(a + 0.5);
  return sign + a.toFixed(digits - 1 - k);
}

// A local derivative in its pill: the shortest form that is still exact to two or three digits.
export function fmtShort(x) {
  if (Number.isInteger(x) && Math.abs(x) < 1000) return String(x).replace("-", "−");
  const a = Math.abs(x);
  if (a >= 0.0995 && a < 9.995) return (x < 0 ? "−" : "") + a.toFixed(2);
  return fmt(x, a < 0.0995 ? 2 : 3);
}

export const shapeText = (s) => (s.length === 0 ? "scalar" : s.join(" × "));

// JSON has no NaN and no infinity, so the document writes them as strings.
export const num = (x) => (typeof x === "number" ? x : Number(x));

const OVER = [["k", "M", "G", "T"]];
export function fmtCount(n) {
  if (n < 1e5) return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  let i = -1;
  while (n >= 1000 && i < 3) { n /= 1000; i++; }
  return n.toPrecision(3) + " " + OVER[0][i];
}
