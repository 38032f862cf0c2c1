"""The ABR laboratory: sessions in virtual time over modelled links."""
