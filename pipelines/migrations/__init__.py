"""How the ledger's tables came to be, one step a released change. Forward only."""
