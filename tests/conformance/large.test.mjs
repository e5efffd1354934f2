// Groups 9 and 10 against the server that echoes.
import { largeCases } from './cases/large.mjs'
import { register } from './lib/run.mjs'
import { echo } from './lib/targets.mjs'

register(echo, largeCases())
