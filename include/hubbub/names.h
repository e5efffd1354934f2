#pragma once
/* Layer: protocol. */
#include "hubbub/buf.h"

/**
 * Names after Unicode's rules (utf8proc).  Each returns true and fills @out (and @out_key), or
 * false when the name is not allowed.
 */
/** A room's name: NFKC, case folded; 1..80 characters of L, Mn, Mc, Nd, '-', '_', '.', beginning
 * and ending with L, M or Nd. */
bool name_fold_room(struct span name, struct buf *out);
/** A user's name: trimmed NFC in @out, 1..40 characters without Cc, Cf, Zl, Zp; its folded key in
 * @out_key. */
bool name_clean_user(struct span name, struct buf *out, struct buf *out_key);
/** Normalisation form KC and full case folding, until nothing changes.  False: not UTF-8, or no
 * memory. */
bool name_fold(struct span s, struct buf *out);
/** What a capital I, in whichever script, is read as: the l that it looks like, or the i. */
enum name_reading {
	NAME_CAPITAL_I_IS_L,
	NAME_CAPITAL_I_IS_I
};
/**
 * What @name looks like (the skeleton of UTS #39, 4, and folded case): names with the same, by
 * either reading, are taken for each other.  The readings of a folded name are one.  Not for
 * showing. False as for name_fold().
 */
bool name_skeleton(struct span name, enum name_reading reading, struct buf *out);
/** A search query folded as room names are (no character rules). */
bool name_fold_query(struct span query, struct buf *out);
/** A room's title, or what it is about: trimmed NFC in @out, 1..80 characters without what a user's
 * name may not hold. */
bool name_clean_title(struct span title, struct buf *out);
/** What one signs in with: trimmed NFC in @out, 1..254 bytes without white space and what a user's
 * name may not hold; its folded key in @out_key. */
bool name_clean_login(struct span login, struct buf *out, struct buf *out_key);
/** Whether @s is 1..@max bytes of UTF-8 without what a user's name may not hold. */
bool name_is_line(struct span s, size_t max);
