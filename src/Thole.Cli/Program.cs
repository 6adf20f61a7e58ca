using Thole.Cli;

StandardDescriptors.Fill();
return await CommandTree.RunAsync(args);
