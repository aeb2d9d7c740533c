"""How CDKTF is loaded: fast, or CDK Terrain in its place."""
