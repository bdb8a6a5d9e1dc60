"""The monthly report of a plan: built from standings by ``core``, written as HTML, PDF, XLSX or CSV by ``render``."""
