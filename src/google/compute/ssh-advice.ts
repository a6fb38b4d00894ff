/** What to do about SSH problems with a Compute Engine node. The ssh module takes it as its `advice`. */
export const computeSshAdvice = {
  input: 'node-method',
  hostKeySource: 'its guest attributes',
  fixes: {
    keyNotAccepted:
      'With OS Login, grant the service account roles/compute.osAdminLogin on the instance and roles/iam.serviceAccountUser on its service account. ' +
      'Without OS Login, the guest agent of the node writes the key: check that it runs. Or use node-method: pod, which needs no login.',
    keyNoLongerAccepted: 'Run the job again.',
    hostKeyUnknown:
      'If the key was changed after the first boot, recreate the node: it publishes its keys at its first boot only.',
    hostKeyChanged: 'If the node was recreated, run the job again.',
    hostKeysUnsupported: 'Let the node publish a key of a supported type, or use node-method: pod.',
  },
} as const
