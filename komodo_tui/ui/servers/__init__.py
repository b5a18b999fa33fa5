"""The Servers page and what belongs to it: the fleet's table, one server's detail, forms and acts."""
