const MISSING = "–";

type Maybe = number | null | undefined;

function isMissing(value: Maybe): value is null | undefined {
  return value === null || value === undefined || !Number.isFinite(value);
}

/** Four significant digits, `1.2e-4` where that is shorter: losses, learning rates. */
export function formatValue(value: Maybe): string {
  if (isMissing(value)) return MISSING;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e");
  if (size < 0.01) return String(+value.toPrecision(3));
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 4);
}

/** Three decimals: scores between 0 and 1. */
export function formatScore(value: Maybe): string {
  return isMissing(value) ? MISSING : value.toFixed(3);
}

export function formatCount(value: Maybe): string {
  return isMissing(value) ? MISSING : Math.round(value).toLocaleString("en-US");
}

/** `1 warning`, `3 warnings`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function formatPercent(share: Maybe): string {
  if (isMissing(share)) return MISSING;
  const percent = Math.abs(share) < 5e-4 ? 0 : share * 100;
  return `${percent.toFixed(percent > 0 && percent < 9.95 ? 1 : 0)} %`;
}

export function formatRate(perSecond: Maybe): string {
  if (isMissing(perSecond)) return MISSING;
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond >= 10 ? perSecond.toFixed(1) : perSecond.toFixed(2);
}

/** `42 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(seconds: Maybe): string {
  if (isMissing(seconds)) return MISSING;
  const whole = Math.max(0, Math.round(seconds));
  if (seconds > 0 && seconds < 0.95) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  if (whole < 3600) return `${Math.round(whole / 60)} min`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ""}`;
}

export function formatMilliseconds(ms: Maybe): string {
  if (isMissing(ms)) return MISSING;
  return ms >= 0.005 && ms < 1 ? `${ms.toFixed(2)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** `just now`, `5 min ago`, or the date when it is longer than a day. */
export function formatAgo(time: Maybe, now: number): string {
  if (isMissing(time)) return MISSING;
  const seconds = (now - time) / 1000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return formatDate(time);
}

/** The same to the second: what stands close together in a log. */
export function formatMoment(time: Maybe): string {
  if (isMissing(time)) return MISSING;
  return new Date(time).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function formatDate(time: Maybe): string {
  if (isMissing(time)) return MISSING;
  return new Date(time).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

export function formatBytes(bytes: Maybe): string {
  if (isMissing(bytes)) return MISSING;
  let value = bytes;
  for (const unit of ["B", "KB", "MB", "GB"]) {
    if (value < 1024) return `${unit === "B" ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(2)} TB`;
}
