import type { CaptureMethod } from '../../../../src/capture/record.ts'
import { methodOf } from '../../../../src/capture/recorders/methods.ts'
import { NothingRecorded, recorderErrorOf } from '../../../../src/capture/recorders/start-failure.ts'
import { recordFor } from '../../../support/target.ts'

const places: Record<'ssh' | 'node-pod', CaptureMethod> = {
  ssh: {
    kind: 'ssh',
    login: { kind: 'metadata', project: 'demo-project', zone: 'us-central1-a', instance: 'node-1', publicKey: '' },
    whole: false,
  },
  'node-pod': { kind: 'node-pod', namespace: 'net' },
}

// capture.test.ts has the tests for a container in the pod.
it.each<[keyof typeof places, string, string, string]>([
  [
    'ssh',
    'error tools no sha256sum',
    'E_NODE_TOOLS_MISSING',
    'node-method: the node cannot record: no sha256sum. Install the tool on the node. Or use `node-method: pod`.',
  ],
  [
    'ssh',
    'error space cannot enter /var/tmp/x',
    'E_SPOOL_NOT_WRITABLE',
    'level: the recorder has no directory on the node that it can write its spool to: cannot enter /var/tmp/x. ' +
      "Check the node's disk. Or use `node-method: pod`.",
  ],
  [
    'ssh',
    'another process ended the recorder',
    'E_RECORDER_ENDED',
    'node-method: the recorder ended on the node before it recorded anything: another process ended the recorder. ' +
      'Run the job again. Or use `node-method: pod`.',
  ],
  [
    'node-pod',
    'runc create failed: exec: "sh": executable file not found in $PATH: unknown',
    'E_IMAGE_NO_SHELL',
    'image: node node-1 cannot run sh of "registry.example/tools:1": runc create failed: exec: "sh": executable file not found in $PATH: unknown. ' +
      "Use an image that has sh and tcpdump and is built for the node's architecture.",
  ],
  [
    'node-pod',
    'OOMKilled (exit code 137)',
    'E_RECORDER_ENDED',
    'node-namespace: the node pod ended before it recorded anything: OOMKilled (exit code 137). See `kubectl -n net get events`.',
  ],
])('explains a failed start with %s (%j) with the tools of the node', (kind, message, code, text) => {
  const error = methodOf(recordFor({ method: places[kind] })).explainFailedStart(recorderErrorOf(message), undefined)
  expect(error).toBeInstanceOf(NothingRecorded)
  expect(error.problems[0].code).toBe(code)
  expect(error.message).toBe(text)
})
