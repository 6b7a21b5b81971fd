"""The SOAP family: zeep renders requests from a pinned WSDL, lxml reads replies against its pinned schema."""
