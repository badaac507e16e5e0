/*
 * Copyright (c) 2026 The orchd authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#include "html_int.h"

const char html_style[] =
":root{color-scheme:light dark;--bg:#f7f7f5;--card:#fff;--fg:#1d2126;"
"--quiet:#626b75;--line:#dfe1e4;--accent:#2f6299;--past:#a9c3dd;"
"--person:#8a5300;--person-bg:#fff4df;--alarm:#a8261d}\n"
"@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;"
"--fg:#e4e7ea;--quiet:#98a2ac;--line:#30363c;--accent:#7db0e6;"
"--past:#3c5a78;--person:#f0c27a;--person-bg:#2e2617;--alarm:#ff8a80}}\n"
"*{box-sizing:border-box}\n"
"body{margin:0;background:var(--bg);color:var(--fg);"
"font:15px/1.5 system-ui,sans-serif}\n"
"header{display:flex;align-items:baseline;gap:1.5rem;padding:.9rem 1.5rem;"
"border-bottom:1px solid var(--line);background:var(--card)}\n"
".brand{font-weight:700;letter-spacing:.02em;color:var(--accent)}\n"
"nav{display:flex;gap:.4rem;flex:1}\n"
"nav a{color:var(--quiet);text-decoration:none;padding:.1rem .6rem;"
"border-radius:1rem}\n"
"nav a:hover,nav a:focus-visible{color:var(--fg)}\n"
"nav a[aria-current]{color:var(--card);background:var(--accent)}\n"
"main{max-width:76rem;margin:0 auto;padding:1rem 1.5rem}\n"
"h1{position:absolute;clip-path:inset(50%);width:1px;height:1px;"
"overflow:hidden}\n"
"h2,h3{font-size:.85rem;margin:0 0 .4rem;color:var(--quiet);"
"font-weight:600}\n"
"h2::first-letter,h3::first-letter,dt::first-letter,"
"thead th::first-letter{text-transform:uppercase}\n"
".quiet{color:var(--quiet);font-size:.85rem}\n"
".figures{display:grid;grid-template-columns:repeat(auto-fit,"
"minmax(8rem,1fr));gap:1px;background:var(--line);margin:0 0 1rem;"
"border:1px solid var(--line);border-radius:.5rem;overflow:hidden}\n"
".figures>div{background:var(--card);padding:.6rem 1rem}\n"
".figures dt{color:var(--quiet);font-size:.85rem}\n"
".figures dd{margin:0;font-size:1.6rem;font-variant-numeric:tabular-nums}\n"
".figures small{font-size:.85rem;color:var(--quiet)}\n"
".figures .alarm dd{color:var(--alarm);font-weight:600}\n"
".pipeline{display:flex;flex-wrap:wrap;gap:.3rem;list-style:none;"
"margin:0 0 1rem;padding:0;font-size:.85rem;color:var(--quiet)}\n"
".pipeline li{flex:1;white-space:nowrap;padding:.25rem .6rem;"
"border-bottom:3px solid var(--line)}\n"
".pipeline .on{color:var(--fg);border-color:var(--accent)}\n"
".scroll{overflow-x:auto;background:var(--card);"
"border:1px solid var(--line);border-radius:.5rem}\n"
"table{border-collapse:collapse;width:100%}\n"
"th,td{text-align:left;vertical-align:top;padding:.55rem 1rem;"
"border-top:1px solid var(--line);overflow-wrap:anywhere}\n"
"thead th{border-top:0;font-size:.85rem;font-weight:600;"
"color:var(--quiet);white-space:nowrap}\n"
"tbody th{font-weight:400;min-width:12rem}\n"
".num{text-align:right;white-space:nowrap;"
"font-variant-numeric:tabular-nums}\n"
".title{display:block}\n"
".stage{white-space:nowrap}\n"
".bar{display:flex;gap:2px;margin-top:.35rem;width:8rem}\n"
".bar i{flex:1;height:4px;border-radius:2px;background:var(--line)}\n"
".bar .past{background:var(--past)}.bar .now{background:var(--accent)}\n"
".person{background:var(--person-bg)}\n"
".tag{color:var(--person);border:1px solid;border-radius:1rem;"
"padding:0 .5rem;font-size:.8rem;white-space:nowrap}\n"
".empty{padding:2.5rem 1rem;text-align:center;color:var(--quiet);"
"background:var(--card);border:1px dashed var(--line);"
"border-radius:.5rem}\n"
".blocks{display:grid;grid-template-columns:repeat(auto-fill,"
"minmax(19rem,1fr));gap:1rem}\n"
".blocks>dl,.block{background:var(--card);border:1px solid var(--line);"
"border-radius:.5rem;padding:.8rem 1rem;margin:0}\n"
".block .block{border:0;padding:.6rem 0 0;border-radius:0}\n"
".blocks .wide{grid-column:1/-1}\n"
".blocks .scroll{border:0}\n"
".block dl,.blocks>dl{margin:0}\n"
".blocks dl>div{display:flex;justify-content:space-between;gap:1rem;"
"padding:.15rem 0}\n"
".blocks dt{color:var(--quiet)}.blocks dd{margin:0;text-align:right;"
"overflow-wrap:anywhere;font-variant-numeric:tabular-nums}\n"
"code{font:.9em ui-monospace,monospace}\n"
"footer{max-width:76rem;margin:0 auto;padding:.5rem 1.5rem 2rem;"
"color:var(--quiet);font-size:.85rem}\n"
"@media(max-width:40rem){header{padding:.8rem 1rem;gap:1rem}"
"main{padding:1rem}header .quiet{display:none}}\n";
