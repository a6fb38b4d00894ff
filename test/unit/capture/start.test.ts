import { recordOf, type CaptureRecord, type Where } from '../../../src/capture/record.ts'
import { NothingRecorded, startError } from '../../../src/capture/start.ts'
import { plan, target } from './target.ts'

const places: Record<'ssh' | 'node-pod', Where> = {
  ssh: {
    kind: 'ssh',
    login: { kind: 'metadata', project: 'demo-project', zone: 'us-central1-a', instance: 'node-1', publicKey: '' },
    whole: false,
  },
  'node-pod': { kind: 'node-pod', namespace: 'net' },
}
const recordAt = (where: Where): CaptureRecord => recordOf(target(), 'packet-capture-x', plan(), '/x', 0, where)

// Of a pod's container: capture.test.ts. There is no image on a node that is entered by SSH, and no pod of the user's that keeps an entry.
it.each<[keyof typeof places, string, string]>([
  ['ssh', 'error tools no sha256sum', 'node-method: the node cannot record: no sha256sum. Or use node-method: pod.'],
  [
    'ssh',
    'error space cannot enter /var/tmp/x',
    'level: the recorder has nowhere to write its spool on the node: cannot enter /var/tmp/x. Or use node-method: pod.',
  ],
  [
    'ssh',
    'the recorder was ended by somebody',
    'node-method: the recorder ended on the node before it recorded anything: the recorder was ended by somebody. Or use node-method: pod.',
  ],
  [
    'node-pod',
    'runc create failed: exec: "sh": executable file not found in $PATH: unknown',
    'image: the node node-1 cannot run sh of "registry.example/tools:1": runc create failed: exec: "sh": executable file not found in $PATH: unknown. ' +
      "Use an image with sh and tcpdump, for the node's architecture.",
  ],
  [
    'node-pod',
    'OOMKilled (exit code 137)',
    'node-namespace: the node pod ended before it recorded anything: OOMKilled (exit code 137). See `kubectl -n net get events`.',
  ],
])('by %s: %j is told by what is there', (kind, words, message) => {
  const error = startError(words, recordAt(places[kind]))
  expect(error).toBeInstanceOf(NothingRecorded)
  const remains =
    kind === 'ssh' ? 'What was put on the node is removed.' : 'The Job packet-capture-x in net is removed.'
  expect(error.message).toBe(`${message} ${remains}`)
})
