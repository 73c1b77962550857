"""Filters about people: whether somebody can sign in."""

from django import template

from ui.people import member_state, member_tone, roles_shown

register = template.Library()
register.filter("member_state", member_state)
register.filter("member_tone", member_tone)
register.filter("roles_shown", roles_shown)
