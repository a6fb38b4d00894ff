/** One bundle for both steps of action.yml: dist/index.js is main; dist/post.js, which only loads it, is post. */
import { basename } from 'node:path'

if (basename(process.argv[1] ?? '') === 'post.js') await (await import('./post.ts')).post()
else await (await import('./main.ts')).main()
