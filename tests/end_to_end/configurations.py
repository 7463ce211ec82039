"""Configurations that several tests use, as a postmaster writes them."""

MAILDIR = """
begin routers
unknown:
  driver = redirect
  allow_fail
  local_parts = unknown
  data = :fail: no such user here
busy:
  driver = redirect
  allow_defer
  local_parts = busy
  data = :defer: busy just now
here:
  driver = accept
  domains = mail.test
  local_parts = lsearch;{folder}/users
  transport = maildir
away:
  driver = manualroute
  domains = ! mail.test
  route_data = 127.0.0.1::{away}
  self = send
  transport = smtp

begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail/$local_part_data
  maildir_format
  create_directory
  user = {user}
  group = {group}
smtp:
  driver = smtp
  hosts_try_fastopen =

begin retry
* * F,1h,1s
"""
