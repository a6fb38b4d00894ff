import { silenceLimit, type RemoteCommand } from '../cluster/remote-command.ts'
import { messageOf } from '../errors.ts'
import { foreignWords } from './foreign.ts'
import type { PartFile } from './part-file.ts'
import type { Place } from './place.ts'
import { parseTrailer, type Trailer } from './trailer.ts'

export interface FollowEvents {
  /** tcpdump has said "listening" */
  listening(): void
  /** A connection was lost, and why; it is made again. Those that bring nothing and end as the one before are told once a minute, with their number. */
  interrupted(reason: string): void
  /** a line of the pod that is not of the follower's language */
  foreign(line: string): void
}

/** How the following ended. Only with a trailer can the capture be complete. */
export interface FollowOutcome {
  readonly trailer: Trailer | undefined
  readonly end: 'whole' | 'container-ended' | 'place-gone' | 'gave-up' | 'held' | 'runner-disk'
  /** of at most 500 UTF-16 units */
  readonly detail: string
  /** times a broken connection was replaced */
  readonly resumed: number
}

export interface Follower {
  /** Asks the recorder to stop; asked again on each new connection until it has. */
  stop(reason: 'cancelled' | 'duration' | 'size' | 'target-gone'): void
  /** Ends the following with what is here. */
  giveUp(): void
  /** Leaves the rest in the pod for `seconds`, for post to fetch. */
  hold(seconds: number): void
  readonly outcome: Promise<FollowOutcome>
}

/** At full rate the spool must not fill between two acknowledgements. */
const ackEvery = 250
const firstBackoff = 200
/** What else the pod says is shown, but never floods the log. */
const mostForeignLines = 20
const longestForeignLine = 1_000
/** A line for each interface of a node, and a dozen more; characters. */
const longestTrailer = 1_000_000
/** What a node or a pod says of an end, UTF-16 units. */
const longestDetail = 500
const longestBackoff = 10_000

/**
 * Follows the spool into the part file until its trailer, over as many connections as it takes, each from the present offset with
 * fresh credentials. Never rejects. `giveUpAt(progress)` is the time from which a lost connection is
 * no longer made again, given the time of the last byte (both ms since the epoch).
 */
export function followSpool(
  place: Place,
  part: PartFile,
  giveUpAt: (progress: number) => number,
  events: FollowEvents,
): Follower {
  let current: RemoteCommand | undefined
  let stopReason: string | undefined
  let held = false
  let abandoned = false
  /** the recorder must hear of a stop: one connection is made at once, however long the last ones were in vain */
  let hurry = false
  let listening = false
  let resumed = 0
  let wake: (() => void) | undefined
  /** ends every wait for somebody else; what comes of that is nobody's concern then */
  let leave: () => void = () => undefined
  const left = new Promise<void>((resolve) => (leave = resolve))

  /** why no further connection can bring the rest */
  let lost: string | undefined
  let foreignLines = 0
  const foreign = (line: string): void => {
    foreignLines += 1
    if (foreignLines <= mostForeignLines) events.foreign(line.slice(0, longestForeignLine))
  }
  const onListening = (): void => {
    if (listening) return
    listening = true
    events.listening()
  }

  /** One connection: until the trailer and all bytes are here, or until it breaks. */
  const once = async (): Promise<{ trailer: Trailer | undefined; reason: string }> => {
    let trailerText = ''
    let trailer: Trailer | undefined
    let diskError: unknown
    let finished = false
    let deserted = false
    let command: RemoteCommand | undefined = undefined // data may come before the opening is told
    const finishWhenWhole = (): void => {
      if (!command || finished || trailer === undefined || part.received() < trailer.size) return
      finished = true
      command.send('done') // only now may the far end go: a process that leaves with bytes under way loses them
      setTimeout(() => command?.close(), 500)
    }
    const onLine = (line: string): void => {
      if (deserted) return
      const [word, ...rest] = line.split(' ')
      if (word === 'listening') onListening()
      else if (word === 'trailer') {
        if (trailerText.length < longestTrailer) trailerText += `${rest.join(' ')}\n`
      } else if (word === 'end') {
        trailer = parseTrailer(trailerText.split('\n'))
        if (trailer === undefined)
          foreign(`a trailer that cannot be read: ${trailerText.trimEnd().replaceAll('\n', '; ')}`)
        finishWhenWhole()
      } else if (word === 'gone') lost = `the spool no longer has byte ${rest.join(' ')}`
      else if (word !== 'beat') foreign(line)
    }
    const opening = place.open(followCommand(place.spools, part.received()), {
      stdout: (chunk) => {
        if (deserted) return undefined
        const waiting = part.push(chunk)?.catch((error: unknown) => {
          diskError ??= error
          command?.send('stop error')
          command?.send('done') // nobody will fetch the rest
          setTimeout(() => command?.close(), 500)
        })
        finishWhenWhole()
        return waiting
      },
      stderr: onLine,
    })
    // Credentials, a proxy, an upgrade: whatever hangs there must not hold who wants to leave.
    command = await Promise.race([opening, left.then(() => undefined)])
    if (!command) {
      deserted = true
      void opening.then((late) => late.close()).catch(() => undefined)
      return { trailer: undefined, reason: 'left' }
    }
    current = command
    finishWhenWhole()
    if (stopReason !== undefined) command.send(`stop ${stopReason}`)
    if (held || diskError !== undefined) command.close()
    let missingSince = 0
    const pulse = setInterval(() => {
      part.flush()
      command.send(`ack ${part.stored()}`)
      // "end" is here, but bytes are missing and none come: what was on the way is lost, so it is asked for again.
      if (trailer !== undefined && !finished) {
        missingSince ||= Date.now()
        if (Date.now() - missingSince > silenceLimit) command.close()
      }
    }, ackEvery)
    const end = await command.ended
    clearInterval(pulse)
    current = undefined
    if (diskError !== undefined) throw new DiskError(messageOf(diskError))
    return { trailer: finished ? trailer : undefined, reason: `${end.reason || 'closed'} (code ${end.code})` }
  }

  const run = async (): Promise<FollowOutcome> => {
    let backoff = firstBackoff
    let lastProgress = Date.now()
    const tell = tellChanges((reason) => events.interrupted(foreignWords(reason, longestDetail)))
    const leftHere = (): FollowOutcome | undefined => {
      if (held) return { trailer: undefined, end: 'held', detail: 'left for the post step', resumed }
      if (abandoned) return { trailer: undefined, end: 'gave-up', detail: 'nothing more came', resumed }
      return undefined
    }
    for (;;) {
      const before = part.received()
      let reason: string
      try {
        const { trailer, reason: ended } = await once()
        if (trailer) return { trailer, end: 'whole', detail: '', resumed }
        reason = ended
      } catch (error) {
        if (error instanceof DiskError) {
          return { trailer: undefined, end: 'runner-disk', detail: error.message, resumed }
        }
        reason = messageOf(error)
      }
      if (part.received() > before) {
        backoff = firstBackoff
        lastProgress = Date.now()
      }
      const state = leftHere() ? undefined : await Promise.race([place.state(), left.then(() => undefined)])
      const over = leftHere()
      if (over) return over
      if (!state) continue
      if (state.kind === 'terminated') {
        const trailer = parseTrailer(state.message.split('\n'))
        // The container's last words are the trailer too: with every byte here it is proof enough.
        const whole = trailer !== undefined && part.received() === trailer.size
        const cut = state.podDeleted ? 'place-gone' : 'container-ended'
        return {
          trailer,
          end: whole ? 'whole' : cut,
          detail: state.message.replace(/\s*\n\s*/g, '; ') || state.reason,
          resumed,
        }
      }
      if (state.kind === 'gone') return { trailer: undefined, end: 'place-gone', detail: state.reason, resumed }
      if (lost !== undefined) return { trailer: undefined, end: 'gave-up', detail: lost, resumed }
      if (Date.now() > giveUpAt(lastProgress)) return { trailer: undefined, end: 'gave-up', detail: reason, resumed }
      tell(state.kind === 'unknown' ? state.reason : reason, part.received() > before)
      resumed += 1
      const wait = (hurry ? firstBackoff : backoff) * (0.8 + Math.random() * 0.4)
      hurry = false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      wake = undefined
      const leaving = leftHere()
      if (leaving) return leaving
      backoff = Math.min(backoff * 2, longestBackoff)
    }
  }

  return {
    stop(reason) {
      const isNew = stopReason !== reason // it may be asked for each second
      stopReason = reason
      if (current?.send(`stop ${reason}`) || !isNew) return
      if (wake) wake()
      else hurry = true
    },
    giveUp() {
      abandoned = true
      current?.close()
      leave()
      wake?.()
    },
    hold(seconds) {
      held = true
      current?.send(`hold ${seconds}`)
      const command = current
      setTimeout(() => command?.close(), 200) // the line must be on its way first
      leave()
      wake?.()
    },
    outcome: run().then((outcome) => ({ ...outcome, detail: foreignWords(outcome.detail, longestDetail) })),
  }
}

class DiskError extends Error {}

/** How often a reason that stays the same is told again, ms. */
const tellEvery = 60_000

/** Tells a reason that is new, or that ended a connection which brought something; of others that are alike their number, now and then. */
function tellChanges(tell: (reason: string) => void): (reason: string, progress: boolean) => void {
  let last: { reason: string; at: number; tries: number } | undefined
  return (reason, progress) => {
    if (last && !progress && last.reason === reason) {
      last.tries += 1
      if (Date.now() - last.at < tellEvery) return
      last.at = Date.now()
      tell(`${reason}; ${last.tries} times by now`)
      return
    }
    last = { reason, at: Date.now(), tries: 1 }
    tell(reason)
  }
}

/** Waits up to 5 s for the recorder to lay out its spool, then follows. Short: the command stands in the API server's audit log. */
function followCommand(spools: readonly string[], offset: number): readonly string[] {
  const places = spools.join(' ')
  const script = `n=0; while [ $n -lt 50 ]; do for d in ${places}; do [ ! -O $d/follow ] || exec sh $d/follow ${offset}; done; sleep 0.1; n=$((n+1)); done`
  return ['sh', '-c', script]
}
