import { silenceLimit, type RemoteCommand } from '../cluster/remote-command.ts'
import { messageOf } from '../errors.ts'
import type { PartFile } from './part-file.ts'
import type { Place } from './place.ts'
import { parseTrailer, type Trailer } from './trailer.ts'

export interface FollowEvents {
  /** tcpdump has said "listening" */
  listening(): void
  /** a connection was lost, and why; it is made again */
  interrupted(reason: string): void
  /** a line of the pod that is not of the follower's language */
  foreign(line: string): void
}

/** How the following ended. Only with a trailer can the capture be complete. */
export interface FollowOutcome {
  readonly trailer: Trailer | undefined
  readonly end: 'whole' | 'container-ended' | 'target-gone' | 'gave-up' | 'held' | 'runner-disk'
  readonly detail: string
  /** times a broken connection was replaced */
  readonly resumed: number
}

export interface Follower {
  /** Asks the recorder to stop; asked again on each new connection until it has. */
  stop(reason: 'cancelled' | 'duration' | 'size'): void
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
  let hurry = false
  let listening = false
  let resumed = 0
  let wake: () => void = () => undefined

  /** why no further connection can bring the rest */
  let lost: string | undefined
  let foreignLines = 0
  const foreign = (line: string): void => {
    foreignLines += 1
    if (foreignLines <= mostForeignLines) events.foreign(line)
  }
  const onListening = (): void => {
    if (listening) return
    listening = true
    events.listening()
  }

  /** One connection: until the trailer and all bytes are here, or until it breaks. */
  const once = async (): Promise<{ trailer: Trailer | undefined; reason: string }> => {
    const trailerLines: string[] = []
    let trailer: Trailer | undefined
    let diskError: unknown
    let finished = false
    let command: RemoteCommand | undefined = undefined // data may come before the opening is told
    const finishWhenWhole = (): void => {
      if (!command || finished || trailer === undefined || part.received() < trailer.size) return
      finished = true
      command.send('done') // only now may the far end go: a process that leaves with bytes under way loses them
      setTimeout(() => command?.close(), 500)
    }
    const onLine = (line: string): void => {
      const [word, ...rest] = line.split(' ')
      if (word === 'listening') onListening()
      else if (word === 'trailer') trailerLines.push(rest.join(' '))
      else if (word === 'end') {
        trailer = parseTrailer(trailerLines)
        if (trailer === undefined) foreign(`a trailer that cannot be read: ${trailerLines.join('; ')}`)
        finishWhenWhole()
      } else if (word === 'gone') lost = `the spool no longer has byte ${rest.join(' ')}`
      else if (word !== 'beat') foreign(line)
    }
    command = await place.open(followCommand(place.spools, part.received()), {
      stdout: (chunk) => {
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
      if (held) return { trailer: undefined, end: 'held', detail: 'left for the post step', resumed }
      if (abandoned) return { trailer: undefined, end: 'gave-up', detail: 'nothing more came', resumed }
      if (part.received() > before) {
        backoff = firstBackoff
        lastProgress = Date.now()
      }
      const state = await place.state()
      if (state.kind === 'terminated') {
        const trailer = parseTrailer(state.message.split('\n'))
        // The container's last words are the trailer too: with every byte here it is proof enough.
        const whole = trailer !== undefined && part.received() === trailer.size
        const cut = state.podDeleted ? 'target-gone' : 'container-ended'
        return {
          trailer,
          end: whole ? 'whole' : cut,
          detail: state.message.replace(/\s*\n\s*/g, '; ') || state.reason,
          resumed,
        }
      }
      if (state.kind === 'gone') return { trailer: undefined, end: 'target-gone', detail: state.reason, resumed }
      if (lost !== undefined) return { trailer: undefined, end: 'gave-up', detail: lost, resumed }
      if (Date.now() > giveUpAt(lastProgress)) return { trailer: undefined, end: 'gave-up', detail: reason, resumed }
      events.interrupted(state.kind === 'unknown' ? state.reason : reason)
      resumed += 1
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, backoff * (0.8 + Math.random() * 0.4))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (held) return { trailer: undefined, end: 'held', detail: 'left for the post step', resumed }
      backoff = hurry ? firstBackoff : Math.min(backoff * 2, longestBackoff)
      hurry = false
    }
  }

  return {
    stop(reason) {
      stopReason = reason
      if (current?.send(`stop ${reason}`)) return
      hurry = true // the recorder must hear it: the next connection is made at once
      wake()
    },
    giveUp() {
      abandoned = true
      current?.close()
      wake()
    },
    hold(seconds) {
      held = true
      current?.send(`hold ${seconds}`)
      const command = current
      setTimeout(() => command?.close(), 200) // the line must be on its way first
      wake()
    },
    outcome: run(),
  }
}

class DiskError extends Error {}

/** Waits up to 5 s for the recorder to lay out its spool, then follows. Short: the command stands in the API server's audit log. */
function followCommand(spools: readonly string[], offset: number): readonly string[] {
  const places = spools.join(' ')
  const script = `n=0; while [ $n -lt 50 ]; do for d in ${places}; do [ ! -e $d/follow ] || exec sh $d/follow ${offset}; done; sleep 0.1; n=$((n+1)); done`
  return ['sh', '-c', script]
}
