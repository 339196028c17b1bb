// The residents' app. It lives under /app/, which is all that its service worker answers for.
import '../design/base.css';
import './app.css';
import { mount } from 'svelte';
import Resident from './Resident.svelte';
import { install } from './install.ts';

if (location.pathname === '/app') {
  // One level down, so that the worker's scope holds the page.
  location.replace(`/app/start${location.search}${location.hash}`);
} else {
  const target = document.getElementById('page');
  if (target) mount(Resident, { target });
  install();
}
