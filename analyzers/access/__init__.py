"""Remote access: sessions put together to visits, from the vendor's own network to the machine that is worked on."""
