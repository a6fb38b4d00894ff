/** The greatest part of the real time between two looks at the clock that counts, ms. Data that came meanwhile is handled between two looks. */
const maxStepMs = 5

/**
 * Speeds up the time for all code in this context, the product and the fakes: `setTimeout`, `setInterval` and `Date`. Each wait is `speed` times
 * shorter, and the proportions do not change: a pause of 1 s still ends before a timeout of 5 s. While the process is not scheduled, as on a busy
 * machine, this time stands still: otherwise timeouts would pass before the data is read that prevents them.
 * @returns a function that ends it
 */
export function speedUpClock(speed: number): () => void {
  const { setTimeout, setInterval, clearTimeout, clearInterval, Date } = globalThis
  const clock = new FastClock(speed, Date.now())
  globalThis.Date = class extends Date {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(clock.nowMs())
      else super(...given)
    }
    static override now = () => clock.nowMs()
  } as DateConstructor
  const timer =
    (repeats: boolean) =>
    (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): FastTimer => {
      looks.ref()
      return clock.start(() => act(...args), ms, repeats)
    }
  const clear =
    (real: (started: never) => void) =>
    (started: unknown): void =>
      started instanceof FastTimer ? started.close() : real(started as never)
  Object.assign(globalThis, {
    setTimeout: timer(false),
    setInterval: timer(true),
    clearTimeout: clear(clearTimeout),
    clearInterval: clear(clearInterval),
  })
  let isOver = false
  const looks = setInterval(() => {
    clock.look()
    if (isOver && clock.isIdle) clearInterval(looks)
    // As real ones do, the timers keep the process running, unless `unref` was called.
    if (clock.isAwaited) looks.ref()
    else looks.unref()
  }, 1)
  return () => {
    isOver = true // what is under way still ends
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval, Date })
  }
}

class FastClock {
  readonly #speed: number
  readonly #timers = new Set<FastTimer>()
  #ms: number
  #lookedMs = performance.now()

  constructor(speed: number, startMs: number) {
    this.#speed = speed
    this.#ms = startMs
  }

  get isIdle(): boolean {
    return this.#timers.size === 0
  }

  get isAwaited(): boolean {
    return [...this.#timers].some(({ isReferenced }) => isReferenced)
  }

  nowMs(): number {
    return Math.floor(this.#ms)
  }

  start(act: () => void, ms: number, repeats: boolean): FastTimer {
    const timer = new FastTimer(this.#timers, act, {
      dueMs: this.#ms + ms,
      everyMs: repeats ? Math.max(1, ms) : undefined,
    })
    this.#timers.add(timer)
    return timer
  }

  /** Lets the time pass, and calls what is due, in order. */
  look(): void {
    const realMs = performance.now()
    const endMs = this.#ms + Math.min(realMs - this.#lookedMs, maxStepMs) * this.#speed
    this.#lookedMs = realMs
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)
    for (const timer of due) {
      this.#ms = Math.max(this.#ms, timer.dueMs)
      timer.fire(this.#ms)
    }
    this.#ms = endMs
  }
}

interface Due {
  readonly dueMs: number
  /** undefined: once */
  readonly everyMs: number | undefined
}

/** What `setTimeout` returns. */
class FastTimer {
  readonly #running: Set<FastTimer>
  readonly #act: () => void
  readonly #everyMs: number | undefined
  dueMs: number
  isReferenced = true

  constructor(running: Set<FastTimer>, act: () => void, { dueMs, everyMs }: Due) {
    this.#running = running
    this.#act = act
    this.#everyMs = everyMs
    this.dueMs = dueMs
  }

  fire(nowMs: number): void {
    if (!this.#running.has(this)) return // cleared by one that was due before it
    if (this.#everyMs === undefined) this.#running.delete(this)
    else this.dueMs = nowMs + this.#everyMs
    this.#act()
  }

  close(): void {
    this.#running.delete(this)
  }

  ref(): this {
    this.isReferenced = true
    return this
  }

  unref(): this {
    this.isReferenced = false
    return this
  }
}

/** Speeds up the time in each test of a file. Not for tests that measure real time, or that wait for a process. */
export function useFastClock(speed = 10): void {
  let end: (() => void) | undefined
  beforeEach(() => {
    end = speedUpClock(speed)
  })
  afterEach(() => end?.())
}
