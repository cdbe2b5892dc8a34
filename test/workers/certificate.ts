/** A certificate for `localhost` that signs itself, with its key: for tests of TLS, and of no use to anybody else. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUPu4ISbY7g/8LSxVsTPpoiK/hatkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTIwMTE2MTIzMFoYDzIxMjYxMTA3
MTYxMjMwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS/o5Pt4fJu+yExy9TZsGZE+UXXThm5SnWtOn/Vflcxv8R6fjwjoHiU
lk5EFNzqpIWny/NZy7XwzEegzHnmEipHo28wbTAdBgNVHQ4EFgQUmz41i503ELDB
ilwlF0FvCVjIH5MwHwYDVR0jBBgwFoAUmz41i503ELDBilwlF0FvCVjIH5MwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgfNJ/HIv3A/ahubDAglbyY98Z/+b1liB8kJUqwoc7vtwCIEm+
qLUQn/dnEZNqKTXKGierSncQcy5/P7P3sMqDdRgi
-----END CERTIFICATE-----
`

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDeYqezP74wdiuZKT
oIHxS+TYwd6a64S5o+oHericGx+hRANCAAS/o5Pt4fJu+yExy9TZsGZE+UXXThm5
SnWtOn/Vflcxv8R6fjwjoHiUlk5EFNzqpIWny/NZy7XwzEegzHnmEipH
-----END PRIVATE KEY-----
`
