/** What a way back from single sign-on tells, by what stands behind the # (docs/api.md). */
const WORDS: Record<string, string> = {
  linked: '',
  expired: 'That sign-in took too long, or was begun in another browser. Try again.',
  refused: 'The sign-in was refused. Try again, or ask whoever runs this server.',
  unreachable: 'The sign-in service cannot be reached. Try again in a moment.',
  unavailable: 'The server is busy. Try again in a moment.',
  busy: 'Too many sign in at once. Try again in a moment.',
  not_found: 'Nobody here is known by this sign-in. Ask for an invitation; if you have an account, sign in with your password and link it in your settings.',
  forbidden: 'This account is disabled, or the team is not set up yet.',
  name_taken: 'That sign-in is linked with somebody else, or you are linked with another one.',
  unauthorized: 'You were signed out in between. Sign in and try again.',
}

export function tellSso(code: string): string {
  return code === '' ? '' : (WORDS[code] ?? 'The sign-in did not work. Try again.')
}
