// Menu, theme, languages side by side, and search. Nothing is loaded from elsewhere.
'use strict';
const root = document.currentScript?.dataset.root ?? document.querySelector('script[data-root]').dataset.root;
const byId = id => document.getElementById(id);
const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

// ---- menu
byId('menu-button').addEventListener('click', () => {
  const open = byId('menu').classList.toggle('open');
  byId('menu-button').setAttribute('aria-expanded', open);
});

// ---- headings of this page
const aside = document.querySelector('aside');
const headings = [...document.querySelectorAll('main h2 a[href^="#"], main h3 a[href^="#"]')];
if (!aside.textContent.trim() && headings.length > 1) {
  aside.replaceChildren(make('ul', {}, ...headings.slice(0, 40).map(a => make('li', {}, make('a', {
    href: a.getAttribute('href'), textContent: a.textContent, className: a.closest('h3') ? 'sub' : ''
  })))));
}

// ---- light and dark
byId('theme-button').addEventListener('click', () => {
  const html = document.documentElement;
  const dark = html.dataset.theme ? html.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  html.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('theme', html.dataset.theme);
});

// ---- blocks of code stand in tables of one cell
for (const table of document.querySelectorAll('table.pre')) table.replaceWith(...table.querySelectorAll('pre'));

// ---- F# and C# side by side: a block of one that stands right after a block of the other shares its place
const language = pre =>
  pre?.querySelector?.('code[lang=fsharp]') ? 'F#' : pre?.querySelector?.('code[lang=csharp]') ? 'C#' : null;
const show = name => {
  for (const tabs of document.querySelectorAll('.tabs')) {
    for (const pre of tabs.querySelectorAll('pre')) pre.hidden = language(pre) !== name;
    for (const button of tabs.querySelectorAll('button')) {
      button.setAttribute('aria-selected', button.textContent === name);
    }
  }
};
for (const first of [...document.querySelectorAll('main pre')]) {
  const second = first.nextElementSibling;
  if (language(first) !== 'F#' || language(second) !== 'C#') continue;
  const buttons = ['F#', 'C#'].map(name => make('button', {
    textContent: name, type: 'button', onclick: () => { localStorage.setItem('language', name); show(name); }
  }));
  const tabs = make('div', { className: 'tabs' }, make('div', {}, ...buttons));
  first.before(tabs);
  tabs.append(first, second);
}
show(localStorage.getItem('language') ?? 'F#');

// ---- what the compiler knows of a name, under the pointer
for (const name of document.querySelectorAll('[data-fsdocs-tip]')) {
  const tip = byId(name.dataset.fsdocsTip);
  if (!tip?.showPopover) continue;
  name.addEventListener('pointerenter', () => {
    const box = name.getBoundingClientRect();
    tip.style.left = `${Math.min(box.left, innerWidth - 580) + scrollX}px`;
    tip.style.top = `${box.bottom + scrollY + 4}px`;
    tip.showPopover();
  });
  name.addEventListener('pointerleave', () => tip.hidePopover());
}

// ---- search: every word must occur; pages whose title has it come first, then those that speak of it most
let index = null;
const load = async () => index ??= (await (await fetch(`${root}index.json`)).json())
  .map(entry => ({ ...entry, lowTitle: entry.title.toLowerCase(), low: entry.content.toLowerCase() }));
const around = (entry, word) => {
  const at = entry.low.indexOf(word);
  return at < 0 ? '' : entry.content.slice(Math.max(0, at - 40), at + 80).replace(/\s+/g, ' ');
};
// How often words occur, from 0 to below 4; a word counts less each time.
const mentions = (entry, words) =>
  words.map(word => entry.low.split(word).length - 1).map(count => 4 * count / (count + 8))
    .reduce((sum, x) => sum + x, 0) / words.length;
const search = async text => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const entries = await load();
  const score = entry => words.every(word => entry.lowTitle.includes(word) || entry.low.includes(word))
    ? words.filter(word => entry.lowTitle.includes(word)).length * 4 + (entry.lowTitle === words.join(' ') ? 8 : 0)
      + (entry.uri.includes('/reference/') ? 0 : 2) + mentions(entry, words)
    : -1;
  return words.length === 0 ? [] : entries.map(entry => ({ entry, score: score(entry) })).filter(x => x.score >= 0)
    .sort((a, b) => b.score - a.score).slice(0, 12).map(x => ({ ...x.entry, context: around(x.entry, words[0]) }));
};
const tell = async () => {
  const found = await search(byId('search').value);
  byId('found').replaceChildren(...found.map(entry => make('li', {}, make('a', { href: entry.uri },
    entry.title, make('small', { textContent: entry.context })))));
  byId('found').hidden = found.length === 0;
};
byId('search').addEventListener('input', tell);
document.addEventListener('keydown', event => {
  if (event.key === '/' && !/INPUT|TEXTAREA/.test(event.target.tagName)) {
    event.preventDefault();
    byId('search').focus();
  }
  if (event.key === 'Escape') byId('found').hidden = true;
});
document.addEventListener('click', event => { if (!event.target.closest('.search')) byId('found').hidden = true; });
