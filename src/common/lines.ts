const maxLineBytes = 64 * 1024

/**
 * Splits a byte stream into lines. A line longer than 64 KiB is passed on in parts of that size. Memory stays bounded: one line is made after
 * the other, and none keeps the chunk that it came in.
 */
export function lineSplitter(onLine: (line: string) => void): { push(data: Buffer): void; end(): void } {
  let rest: Buffer = Buffer.alloc(0)
  return {
    push(data) {
      const bytes = rest.length === 0 ? data : Buffer.concat([rest, data])
      const emit = (from: number, to: number): void => onLine(bytes.toString('utf8', from, to))
      let start = 0
      for (;;) {
        const at = bytes.indexOf('\n', start)
        const end = at === -1 ? bytes.length : at
        for (; end - start > maxLineBytes; start += maxLineBytes) emit(start, start + maxLineBytes)
        if (at === -1) break
        emit(start, at)
        start = at + 1
      }
      rest = Buffer.from(bytes.subarray(start))
    },
    end() {
      if (rest.length > 0) onLine(rest.toString('utf8'))
      rest = Buffer.alloc(0)
    },
  }
}
