const longestLine = 64 * 1024

/** Cuts a byte stream into lines; a line longer than 64 KiB is handed over in parts. */
export function lineSplitter(take: (line: string) => void): { push(data: Buffer): void; end(): void } {
  let rest = ''
  return {
    push(data) {
      rest += data.toString('utf8')
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
      if (rest.length > longestLine) this.end()
    },
    end() {
      if (rest !== '') take(rest)
      rest = ''
    },
  }
}
