/** Deployment packages of durable functions: a handler with the SDK in one file, as users bundle theirs. */
import { build } from 'esbuild'
import { packageOf } from './registered.ts'

/** `handler` is the text of an async function `(event, context) => …`. */
export async function durablePackage(handler: string): Promise<Buffer> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { withDurableExecution } from '@aws/durable-execution-sdk-js'
        export const handler = withDurableExecution(${handler})`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    minify: true,
    logLevel: 'silent',
  })
  const [bundle] = outputFiles
  if (bundle === undefined) throw new Error('esbuild made nothing')
  return packageOf({ 'index.mjs': bundle.text })
}
