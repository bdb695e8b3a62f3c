/*
 * nurture.js: page views and forms for nurtured.
 *
 *   <script async src="https://mail.example.com/nurture.js"></script>
 *   <form data-nurture-form="free-ebook"> ... <input name="email"> ... </form>
 *
 * Nothing is stored and no page view is sent before `nurture('consent', true)`; `nurture('consent', false)` forgets the visitor.
 * Calls before this file is there: window.nurture = window.nurture || function () { (nurture.q = nurture.q || []).push(arguments); };
 */
(function () {
  'use strict';
  var script = document.currentScript;
  var base = script ? new URL(script.src).origin : location.origin;
  var ID = 'nurture.id', OK = 'nurture.consent';
  var early = window.nurture && window.nurture.q || [];
  var token = /[?&]nurtured=([a-z2-7]{34})(?=&|$)/.exec(location.search);
  var consented = false, last = null;

  /* Storage can be forbidden altogether. */
  function get(key) { try { return localStorage.getItem(key); } catch (e) { return null; } }
  function set(key, value) {
    try { if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value); } catch (e) { /* then for this page only */ }
  }

  function random() {
    var bytes = new Uint8Array(16), out = '';
    crypto.getRandomValues(bytes);
    for (var i = 0; i < bytes.length; i++) out += (bytes[i] + 256).toString(16).slice(1);
    return out;
  }

  var id = null;
  function anonymousId() {
    if (!consented) return null;
    id = id || get(ID) || random();
    set(ID, id);
    return id;
  }

  /* Of the address only what a campaign put there, and of another site only its host: the rest may tell what is no concern of ours. */
  function search() {
    return location.search.slice(1).split('&').filter(function (pair) { return /^utm_(source|medium|campaign|term|content)=./.test(pair); }).join('&');
  }

  function referrer() {
    try { return document.referrer ? new URL(document.referrer).origin + '/' : ''; } catch (e) { return ''; }
  }

  function track(event, properties) {
    if (!consented) return;
    var body = JSON.stringify({
      anonymousId: anonymousId(), event: event, properties: properties || {}, messageId: random(), timestamp: new Date().toISOString(),
      context: {
        page: { path: location.pathname, url: location.origin + location.pathname, search: search(), referrer: referrer(), title: document.title },
        nurtured: token ? token[1] : undefined
      }
    });
    var url = base + '/v1/track';
    /* text/plain: a beacon of another type needs a preflight, which a page that is closing does not wait for */
    if (navigator.sendBeacon && navigator.sendBeacon(url, new Blob([body], { type: 'text/plain' }))) return;
    fetch(url, { method: 'POST', body: body, headers: { 'Content-Type': 'text/plain' }, credentials: 'omit', keepalive: true }).catch(function () {});
  }

  function pageView() {
    if (!consented || last === location.pathname) return;
    last = location.pathname;
    track('page_view');
  }

  function consent(yes) {
    consented = !!yes;
    set(OK, consented ? 'yes' : null);
    if (!consented) { set(ID, null); id = null; return; }
    pageView();
  }

  /* --- forms --------------------------------------------------------------------------------------------------- */

  /* "is needed" is said of the label; what begins with "the" or with a capital stands by itself. */
  function sentence(message, label) {
    var text = label && !/^(the |[A-Z])/.test(message) ? label + ' ' + message : message;
    return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
  }

  function mark(form, errors) {
    Array.prototype.forEach.call(form.querySelectorAll('[data-nurture-error]'), function (e) { e.remove(); });
    errors.forEach(function (error) {
      var input = form.elements[error.field], note = document.createElement('p');
      note.setAttribute('data-nurture-error', '');
      note.setAttribute('role', 'alert');
      note.textContent = sentence(error.message, error.field && (input && input.labels && input.labels[0] ? input.labels[0].textContent.trim() : error.field));
      if (input && input.setAttribute) input.setAttribute('aria-invalid', 'true');
      if (input && input.parentNode) input.parentNode.insertBefore(note, input.nextSibling); else form.appendChild(note);
    });
  }

  function thank(form, answer) {
    var done = new CustomEvent('nurture:done', { bubbles: true, cancelable: true, detail: answer });
    if (!form.dispatchEvent(done)) return;
    var thanks = form.getAttribute('data-nurture-thanks');
    if (thanks && /^https?:|^\//.test(thanks)) { location.assign(thanks); return; }
    var note = document.createElement('p');
    note.setAttribute('role', 'status');
    note.textContent = form.getAttribute('data-nurture-message') || 'Thank you. Please look into your mailbox.';
    form.replaceWith(note);
  }

  function values(form) {
    var out = {};
    new FormData(form).forEach(function (value, name) { if (typeof value === 'string') out[name] = value; });
    out.page = location.origin + location.pathname;
    out.language = out.language || navigator.language || '';
    try { out.timezone = Intl.DateTimeFormat().resolvedOptions().timeZone; } catch (e) { /* an old browser */ }
    if (anonymousId()) out.anonymousId = anonymousId();
    return out;
  }

  function submit(event) {
    var form = event.target, name = form.getAttribute && form.getAttribute('data-nurture-form');
    if (!name) return;
    event.preventDefault();
    if (form.nurtureBusy) return;
    form.nurtureBusy = true;
    /* one key for one filling-in: pressed again after a failure, it is the same sign-up */
    var body = JSON.stringify(values(form));
    if (form.nurtureBody !== body) { form.nurtureBody = body; form.nurtureKey = random(); }
    fetch(base + '/v1/forms/' + encodeURIComponent(name), {
      method: 'POST', body: body, credentials: 'omit',
      headers: { 'Content-Type': 'application/json', 'Accept': 'application/json', 'Idempotency-Key': form.nurtureKey }
    }).then(function (response) {
      return response.json().then(function (answer) {
        if (response.ok) { mark(form, []); thank(form, answer); }
        else mark(form, answer.errors || [{ field: '', message: answer.detail || 'Please try again.' }]);
      });
    }).catch(function () {
      mark(form, [{ field: '', message: 'That did not get through. Please try again.' }]);
    }).then(function () { form.nurtureBusy = false; });
  }

  document.addEventListener('submit', submit);

  /* Pages that change without loading. */
  window.addEventListener('popstate', pageView);
  ['pushState', 'replaceState'].forEach(function (name) {
    var own = history[name];
    history[name] = function () { var r = own.apply(this, arguments); pageView(); return r; };
  });

  function nurture(what, a, b) {
    if (what === 'consent') consent(a);
    else if (what === 'track') track(a, b);
    else if (what === 'page') { last = null; pageView(); }
  }
  window.nurture = nurture;
  if (get(OK) === 'yes') consent(true);
  Array.prototype.forEach.call(early, function (call) { nurture.apply(null, call); });
})();
