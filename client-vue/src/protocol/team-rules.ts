import type { TeamRole } from './messages'

/** Who may do what in the team, as far as it decides what is shown: the server decides anew. */

export function mayAdminister(role: TeamRole | null): boolean {
  return role === 'admin' || role === 'owner'
}

/** Owners change everybody else; admins change members and guests. */
export function mayChange(mine: TeamRole | null, theirs: TeamRole): boolean {
  return mine === 'owner' || (mine === 'admin' && (theirs === 'member' || theirs === 'guest'))
}

/** The roles that one may give. */
export function rolesToGive(mine: TeamRole | null): TeamRole[] {
  return mine === 'owner' ? ['guest', 'member', 'admin', 'owner'] : ['guest', 'member']
}
