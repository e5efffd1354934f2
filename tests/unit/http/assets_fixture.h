#pragma once
/* A small embedded client, in place of the one that the build makes. */
#include "hubbub/assets.h"

#define BODY(text)                                        \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

const struct asset assets[] = {
	{"/index.html", "text/html; charset=utf-8", "\"i1\"", false, BODY("<html>"), BODY("GZ"),
	 BODY("BR")},
	{"/assets/app-1a2b.js", "text/javascript", "\"j1\"", true, BODY("let x"), BODY("GZJ"),
	 BODY("BRJ")},
	{"/only.br", "text/plain", "\"o1\"", true, BODY("plain"), {NULL, 0}, BODY("BR")},
	{"/logo.png", "image/png", "\"p1\"", false, BODY("PNG"), {NULL, 0}, {NULL, 0}},
};
const size_t n_assets = sizeof(assets) / sizeof(assets[0]);
