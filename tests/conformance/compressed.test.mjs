// How compressed messages may be written, what is broken, and how soon it is told.
import { compressedCases } from './cases/compressed.mjs'
import { register } from './lib/run.mjs'
import { echo } from './lib/targets.mjs'

register(echo, compressedCases(echo))
