import { createRouter, createWebHistory } from 'vue-router'
import HomeView from './views/HomeView.vue'
import RoomView from './views/RoomView.vue'

/** The server answers exactly these paths with the client: its list must have them all. */
export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'home', component: HomeView },
    { path: '/r/:room', name: 'room', component: RoomView, props: true },
    // What these show is chosen before any room is: see stores/access.ts.
    { path: '/join', name: 'join', component: HomeView },
    { path: '/reset', name: 'reset', component: HomeView },
    { path: '/settings', name: 'settings', component: () => import('./views/SettingsView.vue') },
    { path: '/admin', name: 'admin', component: () => import('./views/AdminView.vue') },
    { path: '/:any(.*)*', redirect: '/' },
  ],
})
