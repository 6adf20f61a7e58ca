# Builds the release binary for this Windows machine: <out>\thole.exe, with the SQLite library beside it.
#   eng/publish.ps1 <out>
# How the binary is made is said in src/Thole.Cli/Thole.Cli.csproj; the reasons for the options in eng/publish.
param([Parameter(Mandatory)] [string] $Out)
$ErrorActionPreference = 'Stop'

$root = Split-Path $PSScriptRoot
$cpu = if ([System.Runtime.InteropServices.RuntimeInformation]::OSArchitecture -eq 'Arm64') { 'arm64' } else { 'x64' }
New-Item -ItemType Directory -Force $Out | Out-Null
$Out = (Resolve-Path $Out).Path

dotnet publish "$root/src/Thole.Cli/Thole.Cli.csproj" --configuration Release --runtime "win-$cpu" --output $Out --nologo --verbosity quiet "-p:ArtifactsPath=$root/artifacts/release" -p:RunAnalyzers=false
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
& "$Out/thole.exe" --version
exit $LASTEXITCODE
