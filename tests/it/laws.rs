//! The engine's laws, on toy kinds in memory. Whatever kinds there are, planning and applying must keep them.

mod adopt;
mod crash;
mod digest;
mod gate;
mod kinds;
mod order;
mod release;
mod run;
mod scale;
mod scope;
mod settle;
mod stop;
mod survey;
mod tags;
mod town;
mod wants;
mod worlds;
