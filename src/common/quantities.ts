/** Seconds of `90`, `90s`, `5m`, `1h30m`; undefined where the text is none of these. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text)
  if (!match || text === '') return undefined
  const [hours, minutes, seconds] = match.slice(1).map((part) => Number((part as string | undefined) ?? 0))
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
}

const units = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KIB', 2 ** 10],
  ['MIB', 2 ** 20],
  ['GIB', 2 ** 30],
])

/** Bytes of `1GB`, `64MiB`, `1.5MB` or `1000`. Decimal units: 1 MB = 1,000,000 bytes. Undefined where the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)$/.exec(text)
  const unit = units.get(match?.[2]?.toUpperCase() ?? '')
  if (!match || unit === undefined) return undefined
  return Math.floor(Number(match[1]) * unit)
}

export function parseCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** `1.5 MB`: three figures, decimal units. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 3)
  const value = bytes / 1000 ** power
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${['B', 'KB', 'MB', 'GB'][power] ?? 'GB'}`
}

/** `1h 30m`, `5m 3s`, `12.4s`. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(1))}s`
  const whole = Math.round(seconds)
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'm'],
    [whole % 60, 's'],
  ]
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
