/** One bundle behind both doors of action.yml: main comes first and leaves a state; post finds it. */
import { getState, saveState } from '@actions/core'

if (getState('isPost') === '') {
  saveState('isPost', 'true')
  await (await import('./main.ts')).main()
} else {
  await (await import('./post.ts')).post()
}
