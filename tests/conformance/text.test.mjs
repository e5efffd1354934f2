// Group 6: UTF-8, valid and not, whole and in pieces.
import { invalidTextCases, validTextCases } from './cases/text.mjs'
import { echo, register } from './lib/run.mjs'

register(echo, [...validTextCases(), ...invalidTextCases()])
