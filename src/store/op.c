/*
 * The requests to the store as memory: made by who asks, freed by who was answered.
 */
#include "hubbub/mem.h"
#include "hubbub/store.h"
#include <sodium.h>
#include <stdlib.h>

void store_room_deinit(struct store_room *r)
{
	free(r->name);
	free(r->title);
	free(r->topic);
	*r = (struct store_room){0};
}

static void free_secret(char *secret)
{
	if (secret != NULL)
		sodium_memzero(secret, strlen(secret));
	free(secret);
}

void store_account_free(struct store_account *a)
{
	if (a == NULL)
		return;
	free(a->password);
	free(a->checked);
	free_secret(a->credential);
	free(a->agent);
	free(a->address);
	free(a->issuer);
	free(a->passkey);
	free(a->subject);
	free(a->free_name);
	free(a->free_name_key);
	sodium_memzero(a, sizeof(*a));
	free(a);
}

struct store_op *store_op_new(enum store_op_kind kind, struct store_origin origin)
{
	struct store_op *op = mem_zalloc(sizeof(*op));

	op->kind = kind;
	op->origin = origin;
	return op;
}

void store_op_free(struct store_op *op)
{
	if (op == NULL)
		return;
	request_free(op->req);
	store_account_free(op->account);
	free(op->name);
	free_secret(op->token);
	store_room_deinit(&op->room);
	buf_deinit(&op->scratch);
	buf_deinit(&op->names);
	buf_deinit(&op->entry);
	free(op);
}

struct store_read *store_read_new(enum store_read_kind kind, struct store_origin origin)
{
	struct store_read *r = mem_zalloc(sizeof(*r));

	r->kind = kind;
	r->origin = origin;
	return r;
}

void store_read_free(struct store_read *r)
{
	if (r == NULL)
		return;
	request_free(r->req);
	free_secret(r->token);
	store_account_free(r->account);
	buf_deinit(&r->events);
	free(r->name);
	for (size_t i = 0; i < r->n_belong; i++) {
		free(r->belong[i].name);
		free(r->belong[i].title);
		buf_deinit(&r->belong[i].people);
	}
	free(r->belong);
	for (size_t i = 0; i < r->n_rooms; i++)
		store_room_deinit(&r->rooms[i]);
	free(r->rooms);
	free(r);
}
